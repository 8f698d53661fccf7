import { directory } from "./directory-yard.ts";
import { sqlite } from "./sqlite-yard.ts";
import { describeVolume } from "./volume.ts";

describeVolume("directory", directory);
describeVolume("sqlite, with a write-ahead log", sqlite("WAL"));
describeVolume("sqlite, with a rollback journal", sqlite("DELETE"));
