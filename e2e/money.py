"""What the ledger must say after calls of models, and the race of many callers for one budget."""


def access_of(agent):
    return None


def race(board, part):
    pass
