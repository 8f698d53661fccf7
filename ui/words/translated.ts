import { msg } from "@lit/localize";

/**
 * A text of the node in the reader's language, looked up by its English; one that is newer than this panel stays as it is.
 * The texts themselves are in from-the-node.ts, for translators. (`msg` under another type: it wants literals.)
 */
export const translated: (text: string) => string = msg;
