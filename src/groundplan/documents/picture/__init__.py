"""The drawing: zones as bands from the world down to the data, what lies outside at the edge, an arrow a right.

In steps: `graph` says what is drawn, `layout` in which rows (`order`) and `columns` it stands, `routes` how lines lead,
and `svg` and `html` write it down. Lines run at right angles; all that lead to one port of one workload share their
way, so that their number grows with the targets and not with the edges.

Sources: K. Sugiyama et al., Methods for Visual Understanding of Hierarchical System Structures, 1981 (layers, and their
order by barycenters); R. Barlow et al., Statistical Inference under Order Restrictions, 1972 (places by pooling
adjacent violators).
"""
