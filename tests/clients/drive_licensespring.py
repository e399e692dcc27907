"""Drives the MIT-licensed Python client licensespring 3.0.0 against a portal, unmodified but for address and public key, with its own
checks of signatures on. What it is to work with comes as JSON on stdin; script/clients makes that."""

import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from importlib.metadata import version

from licensespring.api import APIClient
from licensespring.api.error import ClientError
from licensespring.api.signature import SignatureVerifier
from licensespring.hardware import HardwareIdProvider
from licensespring.licensefile.config import Configuration
from licensespring.licensefile.license_manager import LicenseID, LicenseManager

given = json.load(sys.stdin)
assert version("licensespring") == "3.0.0", version("licensespring")


class Ours(SignatureVerifier):
    PUBLIC_KEY = given["public_key"]


class Machine(HardwareIdProvider):
    def get_id(self):
        return "HW-manager"


def client():
    return APIClient(given["api_key"], given["shared_key"], signature_verifier=Ours, api_protocol="http", api_domain=given["domain"])


def refused(expected, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.code == expected, (error.code, expected)
        return
    raise AssertionError(f"{expected} was expected")


def api_client():
    api = client()
    ident = {"product": given["product"], "hardware_id": "HW-api", "license_key": given["key"]}
    details = api.product_details(product=given["product"], include_latest_version=True, include_custom_fields=True)
    assert details["short_code"] == given["product"] and details["latest_version"]["version"] == "4.2", details
    refused("license_not_active", api.check_license, **ident)
    activated = api.activate_license(**ident, hostname="größe-7", os_ver="Debian 12", app_ver="4.2")
    assert activated["active"], activated
    assert api.activate_license(**ident)["times_activated"] == 1
    checked = api.check_license(**ident, include_expired_features=True)
    assert checked["license_active"] and checked["version"] == "4.2", checked
    assert api.add_consumption(**ident, consumptions=3)["total_consumptions"] == 3
    refused("license_not_enough_consumptions", api.add_consumption, **ident, consumptions=100)
    assert api.check_license_feature(**ident, feature="jobs")["code"] == "jobs"
    assert api.add_feature_consumption(**ident, feature="jobs", consumptions=2)["total_consumptions"] == 2
    tracked = api.track_device_variables(**ident, variables={"colour": "grün"})
    assert tracked[0]["value"] == "grün", tracked
    assert {row["variable"] for row in api.get_device_variables(**ident)} == {"colour"}
    assert [row["version"] for row in api.versions(**ident)] == ["4.2", "4.1"]
    assert api.installation_file(**ident, version="4.1")["version"] == "4.1"
    assert api.deactivate_license(**ident) == "license_deactivated"
    refused("license_not_active", api.check_license, **ident)


def api_client_offline():
    api = client()
    ident = {"product": given["product"], "hardware_id": "HW-file", "license_key": given["key"]}
    request = api.activate_offline_dump(**ident)
    answer = api.activate_offline(request)
    assert answer["hardware_id"] == "HW-file", answer
    assert api.check_license(**ident)["license_active"]
    # As the customer carries it: the same answer as a file.
    carried = base64.b64encode(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()).decode()
    assert api.activate_offline_load(carried) == answer
    refreshed = api.check_offline_load(refresh_file(given["key"], "HW-file"))
    assert refreshed["hardware_id"] == "HW-file" and refreshed["license_active"], refreshed
    another_second()
    assert api.deactivate_offline(api.deactivate_offline_dump(**ident, consumptions=0)) == "license_deactivated"
    refused("request_spent", api.activate_offline, data=request)
    another_second()
    refused("device_not_found", api.deactivate_offline, data=api.deactivate_offline_dump(**ident))
    refused("authorization_missing_params", api.activate_offline, data="not base64!")


def another_second():
    """These files are signed over date, key and machine alone, so two of one second are the same to a portal."""
    time.sleep(1.1)


def refresh_file(key, machine):
    """What staff gives a customer for a machine without network: its license as it stands now."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/license_refresh.lic"
        subprocess.run([*given["command"], "license", "refresh-file", key, machine, "-o", path], check=True, capture_output=True)
        with open(path) as file:
            return file.read()


def api_client_user():
    api = client()
    ident = {"product": given["product"], "hardware_id": "HW-user", "username": given["user"]}
    refused("user_credentials_invalid", api.activate_license, **ident, password="a wrong password")
    activated = api.activate_license(**ident, password=given["password"])
    assert activated["user"]["email"] == given["user"] and activated["user"]["is_initial_password"], activated
    assert api.check_license(**ident)["user"]["email"] == given["user"]
    changed = api.change_password(username=given["user"], password=given["password"], new_password=given["new_password"])
    assert changed == "password_changed", changed
    refused("user_credentials_invalid", api.activate_license, **ident, password=given["password"])
    assert not api.activate_license(**ident, password=given["new_password"])["user"]["is_initial_password"]
    assert api.deactivate_license(**ident) == "license_deactivated"


def signed_in(api, response_type):
    """What somebody comes back with from their provider, who signs in whoever comes."""
    start = api.sso_url(product=given["product"], customer_account_code=given["account"], response_type=response_type)
    assert start["openid_configuration"]["issuer"] in start["url"], start
    try:
        urllib.request.build_opener(NoRedirect).open(start["url"])
    except urllib.error.HTTPError as back:
        address = urllib.parse.urlsplit(back.headers["location"])
        return urllib.parse.parse_qs(address.fragment or address.query)
    raise AssertionError("the provider leads back")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def api_client_sso():
    api = client()
    ident = {"product": given["product"], "hardware_id": "HW-sso", "customer_account_code": given["account"]}
    (token,) = signed_in(api, "token")["id_token"]
    activated = api.activate_license(**ident, id_token=token)
    assert activated["user"]["email"] == given["account_user"], activated
    refused("sso_token_invalid", api.activate_license, **ident, id_token=token[:-4] + "AAAA")
    (code,) = signed_in(api, "code")["code"]
    assert api.activate_license(**ident, code=code)["times_activated"] == 1
    refused("sso_token_invalid", api.activate_license, **ident, code=code)
    refused("customer_account_not_found", api.sso_url, product=given["product"], customer_account_code="nobody")
    known = {"product": given["product"], "hardware_id": "HW-sso", "username": given["account_user"]}
    assert api.check_license(**known)["user"]["email"] == given["account_user"]
    assert api.deactivate_license(**known) == "license_deactivated"


def license_manager_sso():
    with tempfile.TemporaryDirectory() as folder, license_manager_in(folder) as manager:
        (token,) = signed_in(manager.api_client, "token")["id_token"]
        user = LicenseID.from_user(given["account_user"], None)
        license = manager.activate_license(user, customer_account_code=given["account"], id_token=token)
        license.check()
        manager.load_license().check()
        license.deactivate(delete_license=True)


def api_client_floating():
    api = client()
    one, two = ({"product": given["product"], "hardware_id": name, "license_key": given["floating_key"]} for name in ["HW-f1", "HW-f2"])
    for machine in [one, two]:
        assert api.activate_license(**machine)["is_floating_cloud"]
    assert api.check_license(**one)["floating_in_use_devices"] == 1
    refused("floating_not_available", api.check_license, **two)
    assert api.floating_release(**one) == ""
    borrowed = api.floating_borrow(**two, borrowed_until=None)
    assert borrowed["max_borrow_time"] == 24, borrowed
    refused("floating_not_available", api.check_license, **one)
    assert api.check_license(**two)["is_borrowed"]
    refused("borrow_until_not_valid", api.floating_borrow, **two, borrowed_until="2199-01-01T00:00:00.000Z")
    assert api.floating_release(**two) == ""
    assert api.check_license_feature(**one, feature="render")["floating_in_use_devices"] == 1
    refused("floating_not_available", api.check_license_feature, **two, feature="render")
    assert api.floating_feature_release(**one, feature="render") == "feature_released"
    for machine in [one, two]:
        api.deactivate_license(**machine)


def api_client_trial():
    api = client()
    made = api.trial_key(product=given["product"], email="ann@customer.example", first_name="Ann")
    assert made["is_trial"] and made["license"] == made["license_key"], made
    assert api.trial_key(product=given["product"])["license"] == made["license"]
    refused("not_switched_on", api.customer_license_users, product=given["product"], customer="ann@customer.example")


@contextmanager
def license_manager_in(folder):
    conf = Configuration(
        product=given["product"],
        api_key=given["api_key"],
        shared_key=given["shared_key"],
        file_key="5a" * 32,
        file_iv="a5" * 16,
        hardware_id_provider=Machine,
        signature_verifier=Ours,
        api_domain=given["domain"],
        file_path=folder,
        filename="License",
    )
    manager = LicenseManager(conf)
    # The one thing a configuration cannot say: no TLS on this machine.
    manager.api_client.api_base = manager.api_client.api_base.replace("https://", "http://")
    manager.api_client.api_protocol = "http"
    yield manager


def license_manager():
    with tempfile.TemporaryDirectory() as folder, license_manager_in(folder) as manager:
        assert manager.is_online()
        license = manager.activate_license(LicenseID.from_key(given["key"]))
        license.check_license_status()
        assert not license.is_validity_period_expired()
        # The client's own, for when nobody answers: a day unless it is configured otherwise.
        assert license.is_grace_period()
        assert license.check(include_expired_features=True) is not None
        failures = []
        license.setup_license_watch_dog(failures.append, timeout=1)
        assert license.watch_dog.is_active()
        license.stop_license_watch_dog()
        assert failures == [], failures
        license.local_check()
        license.add_local_consumption(2)
        assert license.sync_consumption()
        license.add_local_feature_consumption("jobs", 1)
        assert license.sync_feature_consumption("jobs")
        license.check_feature("jobs")
        manager.load_license().check_license_status()
        license.deactivate(delete_license=True)


def license_manager_floating():
    with tempfile.TemporaryDirectory() as folder, license_manager_in(folder) as manager:
        license = manager.activate_license(LicenseID.from_key(given["floating_key"]))
        license.check()
        assert not license.is_floating_expired()
        license.check_feature("render")
        license.release_feature("render")
        license.floating_borrow(None)
        license.floating_release(throw_e=True)
        license.deactivate(delete_license=True)


def license_manager_offline():
    with tempfile.TemporaryDirectory() as folder, license_manager_in(folder) as manager:
        request = manager.create_offline_activation_file(LicenseID.from_key(given["key"]), folder)
        with open(request) as file:
            answer = manager.api_client.activate_offline(file.read())
        path = f"{folder}/ls_activation.lic"
        with open(path, "w") as file:
            file.write(base64.b64encode(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()).decode())
        license = manager.activate_license_offline(path)
        license.check_license_status()
        refreshed = f"{folder}/license_refresh.lic"
        with open(refreshed, "w") as file:
            file.write(refresh_file(given["key"], "HW-manager"))
        assert license.update_offline(refreshed, reset_consumption=False)
        another_second()
        with open(license.deactivate_offline(folder)) as file:
            assert manager.api_client.deactivate_offline(file.read()) == "license_deactivated"


def for_calls_of_chance():
    api = client()
    for machine in ["HW-schemathesis", "HW-away"]:
        for key in ["key", "floating_key"]:
            api.activate_license(product=given["product"], hardware_id=machine, license_key=given[key])
        bundle = {"product": given["bundle"], "hardware_id": machine, "license_key": given["bundle_key"]}
        api.send_request(method="post", endpoint="/activate_bundle", json_data=bundle)
    api.add_consumption(product=given["product"], hardware_id="HW-schemathesis", license_key=given["key"], consumptions=0)


for test in [
    api_client,
    api_client_offline,
    api_client_user,
    api_client_floating,
    api_client_trial,
    api_client_sso,
    license_manager,
    license_manager_floating,
    license_manager_offline,
    license_manager_sso,
    for_calls_of_chance,
]:
    test()
    print(f"  {test.__name__.replace('_', ' ')}: good", file=sys.stderr)
