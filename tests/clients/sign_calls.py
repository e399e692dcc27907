"""Hooks for schemathesis: signs each call as an app does, and names what is there often enough to get behind the first refusal."""

import base64
import hashlib
import hmac
import json
import os
from email.utils import formatdate

import schemathesis

given = json.loads(os.environ["COUNTERSIGN_GIVEN"])
# What calls are about: a license that is activated on this machine, and what belongs to it.
KNOWN = {
    "product": given["product"],
    "hardware_id": "HW-schemathesis",
    "license_key": given["key"],
    "feature": "jobs",
    "customer": "ann@customer.example",
    "customer_account_code": given["account"],
}
BUNDLE = {"product": given["bundle"], "license_key": given["bundle_key"]}
FLOATING = {"license_key": given["floating_key"], "feature": "render", "borrowed_until": None}
# What gives a seat back is about another machine, so that the others go on finding what they ask about.
AWAY = {"hardware_id": "HW-away"}
USER = {"username": given["user"], "password": given["new_password"]}


@schemathesis.auth()
class Signed:
    def get(self, case, context):
        date = formatdate(usegmt=True)
        text = f"licenseSpring\ndate: {date}".encode()
        signature = base64.b64encode(hmac.new(given["shared_key"].encode(), text, hashlib.sha256).digest()).decode()
        return date, f'algorithm="hmac-sha256",headers="date",signature="{signature}",apiKey="{given["api_key"]}"'

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Date"], case.headers["Authorization"] = data


def known(context, members):
    """Three calls of four are about what is there, one of them and nothing else; the rest stay as chance made them."""
    if not isinstance(members, dict):
        return members
    seed = hashlib.sha256(repr(sorted(members.items(), key=repr)).encode()).digest()
    if seed[0] % 4 == 0:
        return members
    path = context.operation.path
    more = {"bundle": BUNDLE, "floating": FLOATING, "deactivate": AWAY, "user_licenses": USER}
    about = dict(KNOWN)
    for part, also in more.items():
        about.update(also if part in path else {})
    # What would name another license, or nothing of the kind.
    others = {} if seed[0] % 4 == 1 else {name: value for name, value in members.items() if name not in ("license_id", "username", "id_token", "code", "redirect_uri")}
    return {**others, **about}


@schemathesis.hook
def map_query(context, query):
    return known(context, query)


@schemathesis.hook
def map_body(context, body):
    if any(part in context.operation.path for part in ("offline", "oauth", "password")):
        return body
    return known(context, body)
