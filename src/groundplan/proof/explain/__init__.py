"""Why: one pair of ends, each side, each policy, each rule, and the smallest change that would allow what is denied.

Nothing is computed for the whole cluster: the policies of two namespaces are asked directly, so it takes milliseconds
at any size, and it is a second way to the same answer.
"""
