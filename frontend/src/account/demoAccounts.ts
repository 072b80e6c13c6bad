/** The seed's accounts; their passwords are public. */
export const SHOPPER = { email: "demo@souk.test", password: "demo-password-souk" };
export const OPERATOR = { email: "admin@souk.test", password: "admin-password-souk" };
