// Invented systems of any size, as what a layout asks for.
export const services = (n) => Array.from({ length: n }, (_, i) => [{ id: `s${i}`, kind: 'service', owner: '' }, { id: `s${i}-db`, kind: 'store', owner: `s${i}` }]).flat();
export const client = { id: 'shoppers', kind: 'client', owner: '' };
export const streams = (n, heads = 20) => Array.from({ length: n }, (_, i) => ({ name: `d${i % heads}.e${Math.floor(i / heads)}`, kind: `k${i % 6}` }));
