// Thumbnail makes a small picture of each large one.
//
// A task's payload is a path as a JSON string, and the thumbnail is then written to
// out/<base name>.png below the working directory, or an object:
//
//	{"src": "a.jpeg", "dst": "small/a.jpg", "width": 200, "height": 100}
//
// The thumbnail fits within width x height (128 x 128 if neither is given; one alone
// leaves the other free), keeps its proportions and is never larger than the
// original. It reads PNG, JPEG, GIF, BMP, TIFF and WebP, told by content, and writes
// PNG or JPEG, told by the name of dst. The answer:
//
//	{"src": "a.jpeg", "dst": "small/a.jpg", "format": "jpeg", "width": 4000, "height": 3000,
//	 "thumb_width": 133, "thumb_height": 100}
//
// dst appears whole or not at all. A source that is missing or no picture fails the task
// for good; a full disk is worth another attempt.
//
// Handlers share nothing; any number may run at once.
package main
