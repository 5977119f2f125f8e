"""One module a resource: its routes, its parameters, what each request does."""
