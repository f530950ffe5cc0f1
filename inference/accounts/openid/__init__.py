"""Signing in by OpenID Connect: the provider, its tokens, and the accounts of its people.

The flow is that of mozilla-django-oidc. It checks the nonce and one algorithm; what else the standard asks of
an ID token, and who is let in, is decided here. The library is imported only where a provider is set.
"""
