/** Runs `send` so that the request it makes becomes a child of the traced action. */
export type Within = <T>(send: () => T) => T;

/** Runs `work` as the action `name`, and passes it a {@link Within} for the requests that belong to the action. */
export type Traced = <T>(name: string, work: (within: Within) => Promise<T>) => Promise<T>;
