export * from "@bellwire/phone";
