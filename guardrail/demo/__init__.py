"""The demonstration: a scripted LLM behind a real server, a real client, real verdicts."""
