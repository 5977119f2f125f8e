"""Two sets of manifests side by side: what may connect now that could not before, and the other way round."""
