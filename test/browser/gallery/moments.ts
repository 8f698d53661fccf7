/** Moments before and after now, so that "2 minutes ago" stays true. */
export const seconds = 1000;
export const minutes = 60 * seconds;
export const hours = 60 * minutes;
export const days = 24 * hours;

export const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString();
export const ahead = (milliseconds: number): string => ago(-milliseconds);
