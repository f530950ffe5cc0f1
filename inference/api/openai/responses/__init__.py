"""POST /v1/responses: OpenAI's newer way to ask, stateless or going on from what was stored."""
