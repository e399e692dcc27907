import path from "node:path";
import type { Place } from "../../script/lib/portal.mjs";

/** What the suite's portal holds before any test: one owner, one product. */
export interface Sample {
  place: Place;
  owner: { email: string; password: string };
  product: string;
  /** The owner's session, for what a test asks without a browser. */
  cookie: string;
}

/** The files of tests/samples, as their README describes them. */
export const samples = path.resolve(import.meta.dirname, "../../tests/samples");

export const licenseSpring = {
  product: "tp",
  key: "FUH3-4E7A-LZJL-7JTP",
  apiKey: "11abafc3-10b2-474a-b818-aaaf97c7512e",
  sharedKey: "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja",
  user: "test@example.com",
  userPassword: "S3cret-ü",
};

let counter = 0;
/** A computer id that no other test has. */
export function computerId(): string {
  return `pc-${process.pid}-${Date.now().toString(36)}-${counter++}`;
}
