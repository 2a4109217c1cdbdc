GREETING_LANGUAGE = "de"
GREETING_NAME:pocket = "kleine Welt"
