"""The wire: nested forms in, typed parameters, errors, lists, expansion, JSON out. Knows nothing of payments."""
