import { config } from "zod";

// By default Zod compiles validators with `eval`. The content security policy forbids that, and the browser would log each
// attempt.
config({ jitless: true });

export { z } from "zod";
