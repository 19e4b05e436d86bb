"""The figures of this machine: how late, how fast, how costly, each beside a bare program in the same run."""
