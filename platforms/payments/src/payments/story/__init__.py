"""The platform's own story: what ``groundplan demo payments`` plays, through the front door and nothing else.

Belongs here: a client's view. It imports no service; it knows the public paths, the official client, and what
`groundplan demo` tells it (PUBLIC_URL, the stand-ins' URLs, GROUNDPLAN_EXEC).
"""
