// oxlint-disable unicorn/no-empty-file -- it stays when there are none
// Services of your own, a line each: `npx waybill new service loyalty` writes the folder services/loyalty and its line here.
// To take one out of the shop delete both.
