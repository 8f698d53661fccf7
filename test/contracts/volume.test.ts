import { directory } from "./directory-yard.ts";
import { describeVolume } from "./volume.ts";

describeVolume("directory", directory);
