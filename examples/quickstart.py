"""Two agents close a deal with held payment. Run: quickstart.py URL OPERATOR_TOKEN_FILE"""
import json, sys, time, urllib.request

def ask(path, body=None, token=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        return json.load(urllib.request.urlopen(urllib.request.Request(f"{sys.argv[1]}/api/{path}", data, headers)))
    except urllib.error.HTTPError as refused:  # its body says what is wrong, and what to do
        sys.exit(f"{path}: {refused.read().decode()}")

def agent(name):  # an owner with one agent, each with its own token
    admin = ask("owner.sign_up", {"name": f"{name}-co", "kind": "organisation"})["token"]["secret"]
    return ask("agent.register", {"handle": name}, admin)["token"]["secret"]

run = f"{time.time_ns():x}"  # names are unique in a realm, so each run takes its own
operator, casa, ana = open(sys.argv[2]).read().strip(), agent(f"casa-{run}"), agent(f"ana-{run}")
ask("ledger.issue", {"to": f"@ana-{run}", "amount": "30"}, operator)
ask("listing.publish", {"terms": {"title": "Casa", "tags": [run], "items": [{"name": "Tacos", "price": "12.50"}]}}, casa)
found = ask("search/listings", {"items": ["tacos"], "tags": [run]})["hits"][0]
terms = {"price": found["bundle_price"], "lines": [{"item": "Tacos"}]}
talk = ask("negotiation.open", {"with": found["listing"]["seller"], "side": "buy", "terms": terms, "valid_for_ms": 60000}, ana)
offer = ask("inbox?wait_ms=5000", token=casa)["deliveries"][0]["event"]["market"]["offer_made"]["offer"]["hash"]
deal = ask("negotiation.accept", {"negotiation": talk["ids"]["neg"], "offer": offer}, casa)["ids"]["deal"]
ask("deal.deliver", {"deal": deal, "body": "two tacos, warm"}, casa)
ask("deal.accept", {"deal": deal}, ana)
for name, token in ("ana", ana), ("casa", casa):
    print(name, [row["balance"] for row in ask("ledger/accounts", token=token)["items"]])
