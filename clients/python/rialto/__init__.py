"""A client of a Rialto realm.

    from rialto import Client
    realm = Client("http://127.0.0.1:7600", token)
    for deal in realm.read.deals():
        print(deal["id"], deal["state"])
"""

from .api import Client
from .client import Events, Page, Pages, Refused, Unreachable, new_key

__all__ = ["Client", "Events", "Page", "Pages", "Refused", "Unreachable", "new_key"]
