"""Permissions, groups, API keys, rate limits and token quotas."""
