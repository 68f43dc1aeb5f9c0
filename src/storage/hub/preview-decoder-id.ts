// The repository of TAESD, the small decoder that shows pictures of Stable Diffusion 1.x and 2.x while they are drawn. It is kept like a
// model of the hub, but is none that can be drawn with.

export const previewDecoderId = 'madebyollin/taesd';
