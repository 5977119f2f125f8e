"""What is known about the platform that runs here: one model, written by the supervisor, read by views.

One module a noun: `units` (what there is and how each process is), `health` (what probes answered),
`waits` (what each waits for), `logs` (what must be shown at once), `events` (all of these, as they
travel), `store` (the model and its subscribers). Views (terminal, socket, page) subscribe and hold
nothing of their own. Effects do not belong here, nor does anything that decides.
"""
