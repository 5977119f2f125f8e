"""The supervisor as a process of its own: it imports no plan file and no model."""

import sys

from groundplan.local import host

if __name__ == "__main__":
    sys.exit(host.main())
