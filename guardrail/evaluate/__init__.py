"""How well a policy's verifier tells reliable answers from others, measured on labelled rows."""
