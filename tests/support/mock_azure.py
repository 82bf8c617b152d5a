# SPDX-License-Identifier: Apache-2.0
"""The token server of an Azure container registry, as Azure/acr's AAD-OAuth.md describes it: POST /oauth2/exchange
gives a refresh token of the registry for a token of Entra, /oauth2/token an access token for that."""
import base64
import json

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
USER = "00000000-0000-0000-0000-000000000000"
OPAQUE = "0.entra-refresh-secret"


def jwt(claims):
    """A token that says this of itself; nobody here looks at signatures."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    return ".".join((part(b'{"typ":"JWT"}'), part(json.dumps(claims).encode()), part(b"signature-secret")))


ENTRA = jwt({"iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "aud": "https://management.azure.com"})
OWN = jwt({"iss": "Azure Container Registry", "grant_type": "refresh_token", "note": "??>>"})


class Azure:
    """Mixed into a handler that has reply(), own() and give_token()."""
    def azure_challenge(self, scope):
        return 'Bearer realm="%s",service="%s",scope="%s"' % (self.own("/oauth2/token"), self.azure_service(), scope)

    def azure_service(self):
        return "127.0.0.1:%d" % self.server.server_port

    def azure_post(self, path, fields):
        get = lambda name: fields.get(name, [""])[0]
        if get("service") != self.azure_service():
            return self.reply(400)
        if path == "/oauth2/exchange":
            good = {("access_token", ENTRA, TENANT), ("refresh_token", OPAQUE, ""), ("refresh_token", OPAQUE, TENANT)}
            if (get("grant_type"), get(get("grant_type")), get("tenant")) not in good:
                return self.reply(401)
            return self.reply(200, json.dumps({"refresh_token": OWN}).encode())
        if (get("grant_type"), get("refresh_token")) != ("refresh_token", OWN):
            return self.reply(401)
        return self.give_token(get("scope").split(" "), "access_token")
