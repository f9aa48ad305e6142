-- AlterTable
ALTER TABLE "signal_server" ADD COLUMN "clients" INTEGER, ADD COLUMN "relayed_bytes" BIGINT, ADD COLUMN "relayed_rate" BIGINT;
