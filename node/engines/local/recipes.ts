import type { Recipe } from "./recipe.ts";
import { galene } from "./recipes/galene.ts";
import { garage } from "./recipes/garage.ts";
import { gotosocial } from "./recipes/gotosocial.ts";
import { prosody } from "./recipes/prosody.ts";
import { snac } from "./recipes/snac.ts";
import { wiki } from "./recipes/wiki.ts";

/** What the local engine can run; one line each. */
export const recipes: readonly Recipe[] = [snac, wiki, gotosocial, prosody, garage, galene];
