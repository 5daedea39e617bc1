"""Pure codecs between OpenAI's JSON shapes and the values of guardrail."""
