// A sign-in provider for tests (OpenID Connect): whoever comes is signed in as the person it was made for, and led back at once.

import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";

const url = (value) => Buffer.from(typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString("base64url");

export class Provider {
  /**
   * @param {string} email
   * @param {string} clientId
   * @param {string} secret
   */
  static async start(email, clientId, secret) {
    const provider = new Provider(email, clientId, secret);
    provider.server.listen(0, "127.0.0.1");
    await once(provider.server, "listening");
    provider.issuer = `http://127.0.0.1:${provider.server.address().port}`;
    return provider;
  }

  constructor(email, clientId, secret) {
    Object.assign(this, { email, clientId, secret, issuer: "", tokens: new Map() });
    this.keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.server = createServer((request, response) => this.answer(request, response));
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async answer(request, response) {
    const asked = new URL(request.url, this.issuer);
    const json = (value, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    switch (asked.pathname) {
      case "/.well-known/openid-configuration":
        return json({ issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize`, token_endpoint: `${this.issuer}/token`, jwks_uri: `${this.issuer}/keys` });
      case "/keys":
        return json({ keys: [{ ...this.keys.publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" }] });
      case "/authorize": {
        const { response_type, redirect_uri, nonce, client_id } = Object.fromEntries(asked.searchParams);
        const code = randomBytes(16).toString("hex");
        const token = this.token(client_id, nonce);
        this.tokens.set(code, token);
        const back = response_type === "code" ? `${redirect_uri}?code=${code}` : `${redirect_uri}#id_token=${token}`;
        return response.writeHead(302, { location: back }).end();
      }
      case "/token": {
        let body = "";
        for await (const part of request) body += part;
        const form = new URLSearchParams(body);
        // RFC 6749 §2.3.1: each part as a form's.
        const credentials = new URLSearchParams({ id: this.clientId, secret: this.secret }).toString();
        const [, id, secret] = /^id=(.*)&secret=(.*)$/.exec(credentials);
        const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
        const token = request.headers.authorization === basic ? this.tokens.get(form.get("code")) : undefined;
        this.tokens.delete(form.get("code"));
        return token ? json({ access_token: "x", token_type: "Bearer", id_token: token }) : json({ error: "invalid_grant" }, 400);
      }
      default:
        return json({ error: "not_found" }, 404);
    }
  }

  token(audience, nonce) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, aud: audience, sub: "1", iat: now, exp: now + 300, nonce, email: this.email, email_verified: true };
    const text = `${url({ alg: "RS256", kid: "1" })}.${url(claims)}`;
    return `${text}.${url(sign("sha256", Buffer.from(text), this.keys.privateKey))}`;
  }
}
