/** Someone who has services here. */
export interface Customer {
	readonly id: string;
	readonly name: string;
	readonly email: string;
	readonly language: "en" | "de";
	readonly createdAt: number;
}
