/** A customer that the seed creates in the demo. The password is public. */
export const SHOPPER = { email: "demo@souk.test", password: "demo-password-souk" };
/** An operator that the seed creates in the demo. The password is public. */
export const OPERATOR = { email: "admin@souk.test", password: "admin-password-souk" };
