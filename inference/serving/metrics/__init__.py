"""Metrics for Prometheus, in a registry of their own; docs/monitoring.md lists them."""
