"""Small servers that play the outside world on a laptop: a mail relay, customers' webhook listeners.

Belongs here: processes started for a `stand_in`. They import nothing of ours and know no platform.
"""
