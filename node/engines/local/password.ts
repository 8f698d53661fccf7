import { randomBytes, randomInt } from "node:crypto";

const letters = "abcdefghijkmnpqrstuvwxyz23456789";

/** 20 characters that nobody mistakes for one another, 100 bits. */
export function newPassword(): string {
	return Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join("");
}

/** For programs, which read it: 64 hexadecimal digits. */
export function newSecret(): string {
	return randomBytes(32).toString("hex");
}
