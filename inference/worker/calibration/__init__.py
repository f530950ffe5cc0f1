"""The process that measures which kernels, threads and layouts multiply fastest on this machine."""
