"""`python -m sij_audit` is the command `sij-audit`."""

from sij_audit.flows.command import main

if __name__ == "__main__":
    main()
