"""What `make bench-proof` measures: exact reachability from YAML and from objects, growth, changes, explanations."""
