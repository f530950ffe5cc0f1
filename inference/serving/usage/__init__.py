"""Reports of usage: by model, key or account, over hours or days of a time zone."""
