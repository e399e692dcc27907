import { finish, seeded, seedLicenseSpring } from "./seed.ts";

/** One portal for the whole suite. When all tests are done its log is searched for everything that may not be in it. */
export default async function setUp() {
  const { portal, sample } = await seeded();
  try {
    await seedLicenseSpring(portal);
  } catch (error) {
    await portal.stop();
    throw error;
  }
  process.env.COUNTERSIGN_SAMPLE = JSON.stringify(sample);
  return async () => console.log(await finish(portal));
}
