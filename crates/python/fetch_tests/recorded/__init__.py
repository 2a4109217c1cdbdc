"""SRC_URI cases with BitBake's recorded answers.

`world` makes what there is to fetch and serves it, `cases` lists the questions, `answers`
asks whichever `bb` is imported and tells what came of it.
"""
