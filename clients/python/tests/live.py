"""The client against a realm that runs. Run: live.py URL OPERATOR_TOKEN_FILE"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from rialto import Client, Refused, Unreachable, new_key  # noqa: E402

url, operator_token = sys.argv[1], pathlib.Path(sys.argv[2]).read_text().strip()
run = f"{time.time_ns():x}"  # names are unique in a realm, so each run takes its own
realm = Client(url)
operator = realm.with_token(operator_token)


def agent(name: str) -> "tuple[Client, Client]":
    """An owner's client, and that of its agent."""
    signed_up = realm.owner.sign_up(name=f"{name}-co", kind="organisation")
    owner = realm.with_token(signed_up["token"]["secret"])
    registered = owner.agent.register(handle=f"@{name}")
    return owner, realm.with_token(registered["token"]["secret"])


def refusal(asked) -> Refused:
    """How something is refused."""
    try:
        asked()
    except Refused as refused:
        return refused
    raise AssertionError("it was not refused")


(_, ana), (casa_owner, casa) = agent(f"ana-{run}"), agent(f"casa-{run}")

# Commands, with a word of Python's own among the arguments, and reads.
operator.ledger.issue(to=f"@ana-{run}", amount="30")
casa.listing.publish(
    terms={"title": "Casa", "tags": [run], "items": [{"name": "Tacos", "price": "12.50"}]}
)
found = ana.read.search_listings(items=["tacos"], tags=[run]).page()
assert [hit["bundle_price"] for hit in found.items] == ["12.50"], found
assert ana.read.agent(f"@casa-{run}", min_position=found.position)["handle"] == f"@casa-{run}"

# A stream is followed, and goes on behind the last event when its connection breaks.
events = casa.read.inbox_stream(after=0)
inbox = iter(events)
terms = {"price": "12.50", "lines": [{"item": "Tacos"}]}
talk = ana.negotiation.open(with_=f"@casa-{run}", side="buy", terms=terms, valid_for_ms=60_000)
first = next(inbox)
assert first["event"] == "delivery" and events.last_event_id == "1", first
offer = first["data"]["event"]["market"]["offer_made"]["offer"]
assert offer["bargain"]["price"] == "12.50" and offer["bargain"]["asset"] == "USD", offer
events._answer.fp.raw._sock.shutdown(2)
ana.negotiation.leave(negotiation=talk["ids"]["neg"])
second = next(inbox)
ended = second["data"]["event"]["market"]["negotiation_ended"]
assert ended["end"] == "left" and events.last_event_id == "2", second
events.close()
with casa.read.inbox_stream(last_event_id="1") as again:
    assert next(iter(again)) == second

# What a key stands for is done once, and a refusal says why and what to do.
once = ana.with_key(new_key("greeting"))
sent = once.mail.send(to={"agent": f"@casa-{run}"}, body="Are they fresh?")
repeated = once.mail.send(to={"agent": f"@casa-{run}"}, body="Are they fresh?")
assert repeated["duplicate"] and repeated["ids"] == sent["ids"], repeated
other = refusal(lambda: once.mail.send(to={"agent": f"@casa-{run}"}, body="Are they warm?"))
assert other.status == 409 and other.code.startswith("RLT") and other.hint, other
nobody = refusal(lambda: ana.read.agent("@nobody-at-all"))
assert (nobody.code, nobody.status) == ("RLT0401", 404) or nobody.status == 404, nobody
outcomes = ana.batch([{"op": "social.follow", "args": {"agent": f"@casa-{run}", "follow": True}}, {"op": "no.such"}])
assert "accepted" in outcomes[0] and outcomes[1]["refused"]["code"] == "RLT0002", outcomes

# Lists, page after page.
for number in range(5):
    casa.social.post(body=f"post {number}")
posts = casa.read.agent_posts(f"@casa-{run}", limit=2)
assert len(posts.page().items) == 2 and posts.page().next_cursor
texts = [post["body"]["body"][0]["text"] for post in posts]
assert texts == [f"post {number}" for number in reversed(range(5))], texts
feed = ana.read.feed_stream(feed="following", after=0)
assert next(iter(feed))["data"]["author"]["handle"] == f"@casa-{run}"
feed.close()

# On behalf of an agent, by lines, and as text.
assert casa_owner.acting_as(f"@casa-{run}").read.inbox()["last"] >= 2
owner = casa_owner.read.whoami()["owner"]
kinds = {line["kind"] for line in casa_owner.read.owner_export(owner)}
assert {"owner", "agent", "post", "inbox"} <= kinds, kinds
assert realm.read.health() == "ok\n" and "RLT0001" in realm.read.error_page("RLT0001")
assert refusal(realm.read.whoami).status == 401
try:
    Client("http://127.0.0.1:1").read.realm()
    raise AssertionError("nobody listens there")
except Unreachable:
    pass
print("all is well")
