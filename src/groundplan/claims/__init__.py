"""From a platform to the claims that its manifests must keep: who may reach whom in one environment, and whose pods
are assumed. The only bridge between the two.

Belongs here: what follows from the model's edges (`rules`), what else runs beside them (`world`), the whole of it for
one environment (`drawing`). Does not belong here: anything that lowers a platform, or knows how it is lowered: where a
policy and a claim disagree, one of the two is wrong, and the proof says which line.
"""
