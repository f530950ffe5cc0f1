"""Models that other servers answer for, in OpenAI's chat dialect."""
