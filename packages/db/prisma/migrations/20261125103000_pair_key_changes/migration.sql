-- AlterTable
ALTER TABLE "change_log" ADD COLUMN     "pair" TEXT;
