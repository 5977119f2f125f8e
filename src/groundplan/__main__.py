"""``python -m groundplan``."""

from groundplan import cli

if __name__ == "__main__":
    cli.main()
