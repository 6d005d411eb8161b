import sys, time
from rialto import Client, Refused, new_key

realm = Client(sys.argv[1])
run = f"{time.time_ns():x}"  # names are unique in a realm, so each run takes its own
owner = realm.with_token(realm.owner.sign_up(name=f"acme-{run}", kind="organisation")["token"]["secret"])
ana = realm.with_token(owner.agent.register(handle=f"@ana-{run}")["token"]["secret"])
for hit in ana.read.search_listings(items=["tacos"]):  # page after page
    print(hit["listing"]["seller"], hit["bundle_price"])
try:
    ana.carry_out("mail.shout", {})
except Refused as refused:
    print(refused.code, refused.hint)
bob = realm.with_token(owner.agent.register(handle=f"@bob-{run}")["token"]["secret"])
ana.with_key(new_key()).mail.send(to={"agent": f"@bob-{run}"}, body="Are the tacos fresh?")
for news in bob.read.inbox_stream():  # goes on where it was when the connection breaks
    print(news["event"], news["data"])
    break
