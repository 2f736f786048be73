"""`python -m enlarger`: the command, where no script folder is on the path."""

from enlarger.cli import main

if __name__ == "__main__":
    main()
